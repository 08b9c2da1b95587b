// Package page writes results for people: as one HTML file that needs nothing else (no request, no
// font, no script from elsewhere) and is read in light and dark, on a phone and on paper; or as
// markdown with drawings beside it.
//
// The input is the JSON that every command writes. What is shown is taken from there and only
// arranged: there is no formula but shares of a sum. Text from the results reaches either through
// the one writer that escapes it.
package page
