// Compiles Bed.sol into bed.json: {contract: bytecode}. Run it where solc is installed: npm install --no-save solc@0.8.28
const fs = require("fs");
const path = require("path");
const solc = require("solc");

const input = {
  language: "Solidity",
  sources: { "Bed.sol": { content: fs.readFileSync(path.join(__dirname, "Bed.sol"), "utf8") } },
  settings: {
    evmVersion: "paris",
    optimizer: { enabled: true, runs: 200 },
    metadata: { appendCBOR: false },
    outputSelection: { "*": { "*": ["evm.bytecode.object"] } },
  },
};
const result = JSON.parse(solc.compile(JSON.stringify(input)));
for (const problem of result.errors || []) console.error(problem.formattedMessage);
const contracts = Object.entries(result.contracts["Bed.sol"]).map(([name, { evm }]) => [name, "0x" + evm.bytecode.object]);
fs.writeFileSync(path.join(__dirname, "bed.json"), JSON.stringify(Object.fromEntries(contracts), null, 1) + "\n");
