// Package reports turns results into what people and programs read: aligned text, markdown, CSV and
// JSON.
//
// A [Report] holds one result twice. Document is for programs: one JSON object in base units with
// fixed field names, of which CSV is the flattened form. Tables are for people: cells carry a
// quantity, and each column chooses one unit and as many digits as its intervals support. Nothing
// is computed here.
package reports
