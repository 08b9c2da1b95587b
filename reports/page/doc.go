// Package page writes results as one HTML file that needs nothing else: no
// request, no font, no script from elsewhere. It is read in light and dark, on
// a phone and on paper.
//
// The input is the JSON that every command writes. What the page shows is taken
// from there and only arranged: it holds no formula but shares of a sum. Text
// from the results reaches the page through the one writer that escapes it.
package page
