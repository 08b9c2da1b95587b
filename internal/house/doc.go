// Package house holds the tests that keep the structure of the repository: which package may import
// which. It has no code of its own.
package house
