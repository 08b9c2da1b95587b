// Package figure draws results as SVG or PNG: points, lines and bands in panels with linear or
// logarithmic axes. It knows nothing of what it draws.
//
// A logarithmic axis cannot show numbers that are not positive: such points are left out, and the
// panel says how many.
package figure
