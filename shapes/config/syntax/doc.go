// Package syntax reads text as people and programs write it (JSON, YAML, TOML, lists of arguments,
// gin) into one tree of values, each with its place, and says what is wrong with a file at which
// line. It knows nothing of models.
//
// Input is hostile until read: sizes, nesting and the number of values are bounded.
package syntax
