// The Connect page: reads what it begins with, loads the language, and starts the flow.

import "../shared/tokens.css";
import "../shared/parts.css";
import "./connect.css";
import { accentOf, dress } from "../shared/colour.js";
import { chosen, Messages } from "../shared/messages.js";
import { Connect } from "./app.js";
import { taken } from "./facts.js";
import { LANGUAGES, load } from "./languages.js";

const facts = taken();
dress(document.documentElement, facts.theme, accentOf(facts.client.accent));
const language = chosen(facts.lang, LANGUAGES, "en");
document.documentElement.lang = language;
const text = new Messages(language, await load(language));
document.title = text.say("page.title", { client: facts.client.name || "Omnifolio" });
const page = new Connect();
document.body.append(page);
page.begin(facts, text);
