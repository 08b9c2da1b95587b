// Package data holds the facts that others published: released shapes, results, accelerators,
// grids, step times, laws and counts, one embedded CSV file a subject (folder facts) and one typed
// row a fact, each with its source and an [Evidence] class. A file is parsed when it is first asked
// for, so that a command pays only for what it uses.
//
// What a number means, and the traps in it, stand at the field that holds it. Unknown is a nil
// pointer, never 0. Amounts are in base units (FLOP/s, bytes, bytes/s, seconds, watts, US dollars,
// kWh, kg CO2e); the CSV headings state the unit of a column and internal/quantity reads both.
//
// To add a fact: add a row with its source; to add a subject: add a CSV, a row type and a loader in
// a file of its own.
package data
