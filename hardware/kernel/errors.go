package kernel

import "fmt"

// NonFiniteError reports NaN or an infinity. The step that found it left the weights and the
// optimizer as they were.
type NonFiniteError struct {
	// the first tensor, in the order of the forward pass, that holds it: a weight, an activation, a
	// gradient, or the loss
	Where string
	Index int // of its first bad element
}

func (e *NonFiniteError) Error() string {
	return fmt.Sprintf("NaN or infinity in %s, element %d; the weights were not changed", e.Where,
		e.Index)
}

// BatchError reports a batch that does not fit the model.
type BatchError struct{ Field, Value, Allowed string }

func (e *BatchError) Error() string {
	return fmt.Sprintf("batch: %s is %s; allowed: %s", e.Field, e.Value, e.Allowed)
}
