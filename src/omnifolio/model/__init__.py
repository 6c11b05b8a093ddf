"""The language of Omnifolio: pure types and rules that every other room speaks. Standard library and msgspec only."""
