// Package check judges model configurations by the rules of a project and writes what it found for
// people, for continuous integration and for code hosts.
//
// [ReadRules] reads the rules, [Check] applies them to configurations that shapes/config has read,
// [Result.Write] writes the findings in one of its formats. Nothing here opens a file or reads the
// clock.
//
// # Rules
//
// A rules file (.deepnarrow.yaml) has these keys, all optional:
//
//	extends    another rules file, "builtin" for the built-in rules, or a list
//	           of them; their rules come first and one of the same id replaces
//	           one of them
//	files      globs of the configurations to check when none are named
//	plan       the flags of deepnarrow plan that say on what the configurations
//	           would run, such as hardware, devices, batch, steps
//	rules      a list; see below
//	waivers    a list of rule, files (globs, all when left out), reason and
//	           expires (2026-12-31, the last day it holds)
//	baseline   the file of earlier measures that max_increase refers to
//
// A rule has an id. With a metric ([plan.Metrics]) it limits that metric by one or more of max,
// min, equals and max_increase; limits are amounts of the metric's kind (300M, 16GiB, 80ms, $5000)
// and are compared unrounded. Without a metric the id names a built-in rule ([builtIn]), whose
// settings are multiple, sizes, headroom, max, axis and min_saving. Any rule may have a severity
// (error or warning), a message and files (globs it is limited to).
//
// # Statuses
//
// A rule passes, warns (broken, severity warning), fails (broken, severity error), or is in error:
// it could not be evaluated, which never counts as a pass.
package check
