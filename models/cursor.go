package models

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

// A cursor says where a page of a list ends: the values that the list is
// ordered by, of its last item. It is opaque to clients and carries no rights:
// what it points at is only ever compared with.

// encodeCursor makes a cursor of the list named kind.
func encodeCursor(kind string, values ...int64) string {
	parts := []string{kind}
	for _, v := range values {
		parts = append(parts, strconv.FormatInt(v, 36))
	}
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Join(parts, ".")))
}

// decodeCursor reads a cursor of the list named kind with n values. An empty
// cursor is the beginning and gives nil.
func decodeCursor(cursor, kind string, n int) ([]int64, error) {
	if cursor == "" {
		return nil, nil
	}
	invalid := &Error{Kind: Invalid, Message: "The cursor is not one of this list. Begin again without it.",
		Fields: []FieldError{{"cursor", "is not one that this list gave out"}}}
	if len(cursor) > 200 {
		return nil, invalid
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || base64.RawURLEncoding.EncodeToString(raw) != cursor { // the decoder skips line ends
		return nil, invalid
	}
	parts := strings.Split(string(raw), ".")
	if len(parts) != n+1 || parts[0] != kind {
		return nil, invalid
	}
	values := make([]int64, n)
	for i, p := range parts[1:] {
		if values[i], err = strconv.ParseInt(p, 36, 64); err != nil || strconv.FormatInt(values[i], 36) != p {
			return nil, invalid
		}
	}
	return values, nil
}

// Page asks for a part of a list: at most Limit items after Cursor.
type Page struct {
	Limit  int
	Cursor string
}

// cut shortens rows, of which one more than limit was asked for, and makes the
// cursor of the next page from the last one kept.
func cut[T any](rows []T, limit int, cursor func(T) string) ([]T, string) {
	if len(rows) <= limit {
		return rows, ""
	}
	rows = rows[:limit]
	return rows, cursor(rows[limit-1])
}

func ids[T any](rows []T, id func(T) int64) []int64 {
	out := make([]int64, 0, len(rows))
	seen := make(map[int64]bool, len(rows))
	for _, r := range rows {
		if v := id(r); !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}

func notIn(field, value string, allowed ...string) FieldError {
	return FieldError{field, fmt.Sprintf("is %q; it may be %s", value, strings.Join(allowed, ", "))}
}
