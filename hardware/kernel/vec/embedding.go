package vec

// Gather writes row ids[i] of table, cols wide, to row i of dst. It panics on an id outside the
// table.
func (s *Set) Gather(dst, table []float32, ids []int32, cols int) {
	exactly(dst, len(ids)*cols)
	for i, id := range ids {
		copy(dst[i*cols:(i+1)*cols], table[int(id)*cols:][:cols])
	}
}

// ScatterAdd adds columns lo … hi−1 of row i of grads to row ids[i] of table, both cols wide, in
// the order of ids: the gradient of Gather. Ids repeat, so workers split the columns, not the rows.
// It panics on an id outside the table.
func (s *Set) ScatterAdd(table, grads []float32, ids []int32, cols, lo, hi int) {
	exactly(grads, len(ids)*cols)
	for i, id := range ids {
		s.k.add(table[int(id)*cols:][lo:hi], grads[i*cols:][lo:hi])
	}
}
