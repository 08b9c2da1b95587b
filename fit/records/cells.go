package records

// cells is the texts of a column. They lie one behind the other in chunks, so that a cell costs its
// text and four bytes; "" is absent. Rows beyond the last that was set are absent.
type cells struct {
	full []chunk
	text []byte
	ends []uint32 // of the cells of the open chunk, in text
}

type chunk struct {
	text string
	ends []uint32 // nil when every cell is absent
}

// chunkRows is how many cells a chunk has.
const chunkRows = 4096

// set writes the cell of a row that no later row was written before.
func (c *cells) set(row int, text string) {
	if row < c.len()-1 {
		panic("records: a cell is set before the last one")
	}
	if row == c.len()-1 { // once more
		start, _ := span(c.ends, len(c.ends)-1)
		c.text = append(c.text[:start], text...)
		c.ends[len(c.ends)-1] = uint32(len(c.text))
		return
	}
	for c.len() <= row {
		if len(c.ends) == chunkRows {
			c.seal()
		}
		if c.len() == row {
			c.text = append(c.text, text...)
		}
		c.ends = append(c.ends, uint32(len(c.text)))
	}
}

func (c *cells) len() int { return len(c.full)*chunkRows + len(c.ends) }

func (c *cells) seal() {
	k := chunk{text: string(c.text)}
	if len(c.text) > 0 {
		k.ends = append(make([]uint32, 0, len(c.ends)), c.ends...)
	}
	c.full = append(c.full, k)
	c.text, c.ends = c.text[:0], c.ends[:0]
}

// at returns the text of a row.
func (c *cells) at(row int) string {
	k := row / chunkRows
	if k < len(c.full) {
		full := &c.full[k]
		if full.ends == nil {
			return ""
		}
		start, end := span(full.ends, row%chunkRows)
		return full.text[start:end]
	}
	i := row - len(c.full)*chunkRows
	if i >= len(c.ends) {
		return ""
	}
	start, end := span(c.ends, i)
	return string(c.text[start:end])
}

// span is where cell i of a chunk begins and ends.
func span(ends []uint32, i int) (start, end uint32) {
	if i > 0 {
		start = ends[i-1]
	}
	return start, ends[i]
}

// picked returns the cells of the given rows, in that order.
func (c *cells) picked(rows []int) cells {
	var out cells
	for i, row := range rows {
		if text := c.at(row); text != "" {
			out.set(i, text)
		}
	}
	return out
}
