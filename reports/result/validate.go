package result

// Validation is step times of one hardware class held against predictions.
type Validation struct {
	HoldOut           string  `json:"hold_out"`
	Class             string  `json:"class"`
	Hardware          string  `json:"hardware"`
	N                 int     `json:"n"`
	MedianAbsLogError float64 `json:"median_abs_log_error"`
	Within125         float64 `json:"within_1_25"`
	Within2           float64 `json:"within_2"`
	Coverage80        float64 `json:"coverage80"`
	BaselineMedian    float64 `json:"baseline_median_abs_log_error"`
	BaselineWithin125 float64 `json:"baseline_within_1_25"`
	BaselineWithin2   float64 `json:"baseline_within_2"`
	// Rows are all rows of the table, in its first
	Rows []Scored `json:"rows,omitempty"`
}

// Scored is one row beside its prediction, in seconds; LogError is ln(measured/predicted).
type Scored struct {
	ID        string   `json:"id"`
	Class     string   `json:"class"`
	Device    string   `json:"device"`
	Predicted float64  `json:"predicted"`
	Low       float64  `json:"low"`
	High      float64  `json:"high"`
	Measured  float64  `json:"measured"`
	LogError  float64  `json:"log_error"`
	Assumed   []string `json:"assumed"`
}

// Unscored is a row that could not be predicted.
type Unscored struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// Ranking is how well the shapes of a group are ranked blind.
type Ranking struct {
	Group     string            `json:"group"`
	N         int               `json:"n"`
	Law       string            `json:"law,omitempty"`
	Regret    float64           `json:"regret"`
	Spearman  float64           `json:"spearman"`
	Baselines map[string]Ranked `json:"baselines"`
}

// Ranked is the score of a baseline.
type Ranked struct {
	Regret   float64 `json:"regret"`
	Spearman float64 `json:"spearman"`
}
