package handlers

import "testing"

func TestSmoke(t *testing.T) {
	s := newServer(t)
	a := s.user("author")
	art := s.article(a)
	c := s.comment(s.user("reader"), art.Slug, "Hello", 0)
	s.browser("admin").get("/admin/users").is(200).has("reader")
	t.Log(c, art)
}
