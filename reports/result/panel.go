package result

// Panel is one drawing of numbers over two axes, as --plot draws it.
type Panel struct {
	Title  string   `json:"title"`
	X      Axis     `json:"x"`
	Y      Axis     `json:"y"`
	Series []Series `json:"series"`
}

// Axis is an axis of a [Panel]. Of is the column whose unit its numbers have: params, tokens or
// flops; empty for plain numbers.
type Axis struct {
	Title string `json:"title"`
	Of    string `json:"of,omitempty"`
	Log   bool   `json:"log,omitempty"`
}

// Series is points or a line; what belongs together has one colour. X and Y have one length.
type Series struct {
	Name   string    `json:"name,omitempty"`
	Line   bool      `json:"line,omitempty"`
	Colour int       `json:"colour"`
	X      []float64 `json:"x"`
	Y      []float64 `json:"y"`
}
