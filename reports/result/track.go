package result

import "github.com/deepnarrow/deepnarrow/internal/quantity"

// Track is a result of track: a run against its plan.
type Track struct {
	Run        string         `json:"run"` // the plan's
	Verdict    string         `json:"verdict"`
	Findings   []TrackFinding `json:"findings"`
	Progress   TrackProgress  `json:"progress"`
	Predicted  TrackPredicted `json:"predicted"`
	Measured   TrackMeasured  `json:"measured"`
	ToComplete TrackRest      `json:"to_complete"`
	Level      float64        `json:"level"`
	Notes      []string       `json:"notes"`
}

// TrackFinding is what a reader must know; Verdict is empty where the run is on its plan all the same.
type TrackFinding struct {
	Verdict string `json:"verdict,omitempty"`
	Text    string `json:"text"`
}

// TrackProgress is how far the run is. Tokens are the plan's.
type TrackProgress struct {
	Share  float64 `json:"share"`
	Step   float64 `json:"step"`
	Steps  float64 `json:"steps"`
	Tokens float64 `json:"tokens,omitempty"`
	Rows   int     `json:"rows"`
}

// TrackPredicted is what the plan says of the whole run.
type TrackPredicted struct {
	StepSeconds  *quantity.Interval `json:"step_seconds,omitempty"`
	TotalSeconds *quantity.Interval `json:"total_seconds,omitempty"`
	USD          *quantity.Interval `json:"usd,omitempty"`
	Goodput      quantity.Interval  `json:"goodput"`
	Loss         *quantity.Interval `json:"loss,omitempty"`
}

// TrackMeasured is what the log says of the run so far.
type TrackMeasured struct {
	StepSeconds   *quantity.Interval `json:"step_seconds,omitempty"`
	RecentSeconds *quantity.Interval `json:"recent_step_seconds,omitempty"`
	Ratio         *float64           `json:"recent_over_predicted,omitempty"`
	Drift         *float64           `json:"drift,omitempty"` // last third over first third, less 1
	Stalls        []Stall            `json:"stalls"`
	Restarts      int                `json:"restarts"`
	RedoneRows    int                `json:"redone_rows"`
	Elapsed       *float64           `json:"elapsed_seconds,omitempty"`
	Goodput       *float64           `json:"goodput,omitempty"`
	USD           *float64           `json:"usd,omitempty"`
	Loss          *float64           `json:"loss,omitempty"`
}

// Stall is a stretch of steps that took several times as long as usual, and what it lost.
type Stall struct {
	AfterStep float64 `json:"after_step"`
	Seconds   float64 `json:"seconds"`
}

// TrackRest is what is left, and the whole run with it.
type TrackRest struct {
	Seconds      *quantity.Interval `json:"seconds,omitempty"`
	USD          *quantity.Interval `json:"usd,omitempty"`
	TotalSeconds *quantity.Interval `json:"total_seconds,omitempty"`
	TotalUSD     *quantity.Interval `json:"total_usd,omitempty"`
	Finish       *Finish            `json:"finish,omitempty"`
	Loss         *quantity.Interval `json:"loss,omitempty"`
}

// Finish is when the run ends, RFC 3339 in UTC.
type Finish struct {
	Value string `json:"value"`
	Low   string `json:"low"`
	High  string `json:"high"`
}
