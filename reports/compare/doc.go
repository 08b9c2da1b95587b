// Package compare measures shapes on every metric of a review and says what a change of shape
// changes, and which of its fields is the cause.
//
// [Shapes] asks one [plan.Question] about two shapes, [Sides] also compares results that were written
// as JSON before.
//
// # Attribution
//
// The difference of a metric is divided over the fields that differ so that the parts sum to it and
// depend on no order: each field gets its Shapley value, the mean over all orders of what the
// metric changes when that field changes next. Fields that only make sense together (heads and
// kv_heads, the kind and the table of positions, experts and how they are routed, a stack that
// appears or vanishes) count as one. Beyond 8 of them the mean is over two orders only, that of the
// fields and its reverse, and where a shape in between cannot be laid out the difference is given
// to all fields together.
//
// Source: Shapley 1953, A value for n-person games.
package compare
