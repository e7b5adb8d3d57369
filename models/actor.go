package models

// Role is what an account is trusted with. The zero Role may nothing.
type Role string

// The roles, each including what the one before it may, except that moderators
// do not write articles.
const (
	Reader    Role = "reader"    // comments, replies, votes, reports
	Author    Role = "author"    // and writes and revises his own articles
	Moderator Role = "moderator" // and decides about comments
	Admin     Role = "admin"     // and everything, accounts included
)

// Roles lists every role from the least to the most trusted.
var Roles = []Role{Reader, Author, Moderator, Admin}

// IsRole tells whether r is one of Roles.
func (r Role) IsRole() bool {
	for _, known := range Roles {
		if r == known {
			return true
		}
	}
	return false
}

// Actor is who asks. The zero Actor is an anonymous visitor.
type Actor struct {
	UserID      int64
	Username    string
	DisplayName string
	Role        Role
	SessionID   string
	Network     string // truncated address, for session lists and throttling; never shown to others
	UserAgent   string
	system      bool
}

// System is the operator at the command line: an admin without an account.
func System() Actor { return Actor{Role: Admin, DisplayName: "the operator", system: true} }

// IsSignedIn tells whether the actor has an account.
func (a Actor) IsSignedIn() bool { return a.UserID != 0 }

// id is the actor for a nullable column: nil for the command line.
func (a Actor) id() *int64 {
	if a.UserID == 0 {
		return nil
	}
	return &a.UserID
}
