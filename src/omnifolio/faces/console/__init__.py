"""The console: where the owner of an installation sees it work and decides who may use it."""
