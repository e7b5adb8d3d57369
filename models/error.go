package models

import (
	"errors"
	"fmt"
	"time"
)

// Kind classes what went wrong by what its reader can do about it. The zero
// Kind is Internal: an error nobody classified is a bug or an outage.
type Kind int

// The kinds, each with the one HTTP status and exit code that handlers and cmd
// give it.
const (
	Internal     Kind = iota // a bug or an outage; details go to the log only
	Invalid                  // the input breaks a rule; Fields say which
	Unauthorized             // nobody is signed in, or the credentials are wrong
	Forbidden                // the actor sees it and may not do it
	NotFound                 // it does not exist for this actor
	Conflict                 // it clashes with what is there
	Stale                    // it was changed by somebody else meanwhile
	TooMany                  // too often; RetryAfter says when again
	Unavailable              // the store cannot take it now; RetryAfter says when again
)

// Error is a failure that may be told to whoever asked. Message is a sentence
// that says what happened and what to do; Cause is for the log.
type Error struct {
	Kind       Kind
	Message    string
	Fields     []FieldError
	RetryAfter time.Duration
	Current    *Article // Stale: the article as it is now
	Cause      error
}

// FieldError is one field of an input and what is wrong with it.
type FieldError struct{ Field, Message string }

func (e *Error) Error() string {
	text := e.Message
	for _, f := range e.Fields {
		text += fmt.Sprintf(" %s: %s", f.Field, f.Message)
	}
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

func (e *Error) Unwrap() error { return e.Cause }

// KindOf is the error's kind; a plain error, and none at all, is Internal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

func failf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

var (
	errSignIn   = failf(Unauthorized, "Sign in to do this.")
	errNotFound = failf(NotFound, "There is nothing at this address, or it is not for you to see.")
)

// problems collects what is wrong with an input, field by field.
type problems []FieldError

func (p *problems) add(field, format string, args ...any) {
	*p = append(*p, FieldError{field, fmt.Sprintf(format, args...)})
}

// err is nil when nothing was added.
func (p problems) err() error {
	if len(p) == 0 {
		return nil
	}
	message := "Please correct the field below."
	if len(p) > 1 {
		message = "Please correct the fields below."
	}
	return &Error{Kind: Invalid, Message: message, Fields: p}
}
