package calibrate

import (
	"bytes"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/hardware/measured"
)

// ByShape says that shapes were predicted by a profile fitted to steps of others on the same
// machine.
const ByShape HoldOut = "shape"

// The two files of a session of the reference kernel.
const (
	designFile = ".design.jsonl"
	unseenFile = ".unseen.jsonl"
)

// ownSession is one session of the reference kernel on one machine.
type ownSession struct {
	name           string
	profile        hardware.Profile // as the probes show the machine
	design, unseen []Record         // the best of each point
	disturbed      int              // visits to unseen points that other work disturbed
}

// ownSessions reads the sessions that ship with the program. What is disturbed is judged anew.
func ownSessions() []ownSession {
	files, err := fs.Glob(data.Measured(), "*"+designFile)
	if err != nil {
		panic("calibrate: " + err.Error()) // a mistake made here
	}
	sessions := make([]ownSession, len(files))
	for i, file := range files {
		s := &sessions[i]
		s.name = strings.TrimSuffix(file, designFile)
		design, unseen := ownRecords(file), ownRecords(s.name+unseenFile)
		facts := ProcessorFacts{Threads: design[0].Threads, Machine: design[0].Machine}
		best := 0.0
		for i, r := range slices.Concat(design, unseen) {
			if best = max(best, r.PeakFLOPsPerSecond); i < len(design) {
				facts.PeakFLOPsPerSecond = best // the profile knows the design alone
			}
		}
		for _, set := range []struct {
			visits []Record
			points *[]Record
		}{{design, &s.design}, {unseen, &s.unseen}} {
			for _, r := range set.visits {
				r.Contended = r.disturbance(best)
				if r.Contended != "" && set.points == &s.unseen {
					s.disturbed++
				}
				*set.points = withBetter(*set.points, r)
			}
		}
		_, facts.BandwidthBytesPerSecond, _ = bandwidths(s.design)
		s.profile = Processor("this machine", facts)
	}
	return sessions
}

func ownRecords(name string) []Record {
	text, err := fs.ReadFile(data.Measured(), name)
	if err == nil {
		var records []Record
		if records, err = ReadRecords(name, bytes.NewReader(text)); err == nil {
			return records
		}
	}
	panic("calibrate: embedded measurements: " + err.Error()) // a mistake made here
}

// validateOwn predicts the unseen steps of each shipped session by a profile fitted to its design.
// The baseline is the median MFU of the design. Disturbed steps are not scored. Errors are those of
// [FitHere].
func validateOwn() (Validation, error) {
	v := Validation{HoldOut: ByShape}
	for _, s := range ownSessions() {
		here, err := FitHere(s.profile, s.design)
		if err != nil {
			return v, fmt.Errorf("%s: %w", s.name, err)
		}
		runsOf := func(records []Record) (runs []measured.Run, err error) {
			for _, r := range records {
				m, err := r.measurement(here.Profile)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", s.name, err)
				}
				runs = append(runs, measured.Run{
					ID: r.Shape, Group: s.name, Source: s.name, Class: "enc-dec", Device: r.Machine,
					Family: "processor", Run: m.Run, Seconds: m.Seconds,
				})
			}
			return runs, nil
		}
		train, err := runsOf(here.Used)
		if err != nil {
			return v, err
		}
		held, err := runsOf(s.unseen)
		if err != nil {
			return v, err
		}
		base := newBaseline(train)
		for i := range held {
			if reason := s.unseen[i].Contended; reason != "" {
				v.Unscored = append(v.Unscored, Unscored{
					s.name + " " + held[i].ID,
					"other work disturbed the step",
				})
				continue
			}
			seconds, sd := predictWith(here.Profile.Calibration, &held[i].Run)
			v.Rows = append(v.Rows, scored(&held[i], seconds, sd, base))
		}
	}
	return v, nil
}
