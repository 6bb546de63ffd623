"""The screen: drawing as pure functions, and the app that shows it."""
