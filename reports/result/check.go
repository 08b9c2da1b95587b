package result

// Finding is a result of check: one rule, judged on one configuration.
type Finding struct {
	File     string   `json:"file"`
	Line     int      `json:"line,omitempty"`
	Column   int      `json:"column,omitempty"`
	Rule     string   `json:"rule"`
	Severity string   `json:"severity"`
	Status   string   `json:"status"`
	Metric   string   `json:"metric,omitempty"`
	Value    *float64 `json:"value,omitempty"`
	Limit    *float64 `json:"limit,omitempty"`
	Unit     string   `json:"unit,omitempty"` // of value and limit
	Message  string   `json:"message"`
	Hint     string   `json:"hint,omitempty"`
	Waived   *Waived  `json:"waived,omitempty"`
	// how the configuration was run; absent where it could not be planned
	*Run
}

// Waived says why a finding is excused, and until when.
type Waived struct {
	Reason  string `json:"reason"`
	Expires string `json:"expires"`
}
