// Package models is the discussion: its types, its rules, who may do what, and
// the only code that talks SQL.
//
// What stays true:
//   - One exported Store method is one use case and one transaction. Helpers
//     take a *tx; inside a transaction no other use case is called.
//   - Every use case takes the actor who asks. What an actor may not see does
//     not exist for him: NotFound, never Forbidden.
//   - A write that returned nil has reached the disk.
//   - Text is validated and rendered before the transaction; nothing slow
//     happens inside it.
package models

import "time"

// Timestamp is a moment in microseconds since 1970 UTC. Zero is a moment that
// is unknown or never was; an imported comment without a date has one.
type Timestamp int64

// At converts a time; the zero time becomes the unknown moment.
func At(t time.Time) Timestamp {
	if t.IsZero() {
		return 0
	}
	return Timestamp(t.UnixMicro())
}

// Time is the moment in UTC, or the zero time when it is unknown.
func (t Timestamp) Time() time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(t)).UTC()
}

// Pointer is the moment in UTC, or nil when it is unknown: what views show.
func (t Timestamp) Pointer() *time.Time {
	if t == 0 {
		return nil
	}
	moment := t.Time()
	return &moment
}

// Add moves the moment by d.
func (t Timestamp) Add(d time.Duration) Timestamp { return t + Timestamp(d.Microseconds()) }

// forever is a suspension without an end: the year 9999.
const forever = Timestamp(253402300799_000000)
