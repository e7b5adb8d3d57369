package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"postil/auth"
	"postil/models"
	"postil/transfer"
)

// The sample: an article in two revisions with a short discussion. It is put in
// through the same use cases as everything else, under a clock that runs from
// three days ago to now.
//
//go:embed sample
var sampleFiles embed.FS

type sampleDiscussion struct {
	People []struct {
		Username    string
		DisplayName string `yaml:"display_name"`
		Role        string
	}
	Comments []sampleComment
}

type sampleComment struct {
	Key, Parent, Author string
	Revision            int
	MinutesAgo          int `yaml:"minutes_ago"`
	State               string
	Up, Down            []string
	Body                string
}

// sampleClock is the time at which the sample's deeds were done.
type sampleClock struct{ now time.Time }

// offerSample puts the sample into a database that never had an article.
func offerSample(ctx context.Context, cfg config, store *models.Store, log *slog.Logger) error {
	if has, err := store.HasArticles(ctx); has || err != nil {
		return err
	}
	// Remembered first: a sample that was cut off half-way is not begun again.
	if err := store.MarkSample(ctx); err != nil {
		return err
	}
	if err := putSample(ctx, cfg, log); err != nil {
		return fmt.Errorf("put in the sample: %w", err)
	}
	return nil
}

func putSample(ctx context.Context, cfg config, log *slog.Logger) error {
	clock := &sampleClock{time.Now()}
	// Nobody can sign in as a person of the sample: the passwords are random and
	// forgotten, so that it does not matter how fast they could be guessed.
	store, err := models.Open(ctx, cfg.values["db"], models.Config{Log: log, Hasher: auth.NewTestHasher(), EditWindow: cfg.editWindow(),
		Now: func() time.Time { return clock.now }})
	if err != nil {
		return err
	}
	s := &sampler{store: store, clock: clock, start: clock.now, actors: map[string]models.Actor{}, comments: map[string]int64{}}
	return errors.Join(s.run(ctx), store.Close())
}

type sampler struct {
	store    *models.Store
	clock    *sampleClock
	start    time.Time
	actors   map[string]models.Actor
	comments map[string]int64
	slug     string
}

func (s *sampler) run(ctx context.Context) error {
	var d sampleDiscussion
	text, err := sampleFiles.ReadFile("sample/discussion.yaml")
	if err != nil {
		return err
	}
	if err := yaml.Unmarshal(text, &d); err != nil {
		return err
	}
	// The oldest deed first, whatever order the file has.
	slices.SortStableFunc(d.Comments, func(a, b sampleComment) int { return b.MinutesAgo - a.MinutesAgo })
	oldest := d.Comments[0].MinutesAgo
	s.at(oldest + 600)
	for _, p := range d.People {
		if err := s.person(ctx, p.Username, p.DisplayName, models.Role(p.Role)); err != nil {
			return err
		}
	}
	second := oldest
	for _, c := range d.Comments {
		if c.Revision == 2 {
			second = c.MinutesAgo + 20
			break
		}
	}
	s.at(oldest + 240)
	if err := s.article(ctx); err != nil {
		return err
	}
	revised := false
	for _, c := range d.Comments {
		if c.Revision >= 2 && !revised {
			s.at(second)
			if err := s.revise(ctx); err != nil {
				return err
			}
			revised = true
		}
		if err := s.comment(ctx, c); err != nil {
			return fmt.Errorf("comment %s: %w", c.Key, err)
		}
	}
	return s.takeBack(ctx, d.Comments)
}

func (s *sampler) at(minutesAgo int) {
	s.clock.now = s.start.Add(-time.Duration(minutesAgo) * time.Minute)
}

func (s *sampler) person(ctx context.Context, name, shown string, role models.Role) error {
	if role == "" {
		role = models.Reader
	}
	user, err := s.store.AddUser(ctx, models.System(), models.AddUserInput{RegisterInput: models.RegisterInput{Username: name, Password: auth.NewToken("")}, DisplayName: shown, Role: role})
	s.actors[name] = models.Actor{UserID: user.ID, Username: user.Username, DisplayName: user.DisplayName, Role: user.Role}
	return err
}

// article saves the first revision.
func (s *sampler) article(ctx context.Context) error {
	input, err := s.final()
	if err != nil {
		return err
	}
	first, err := sampleFiles.ReadFile("sample/article-first.md")
	if err != nil {
		return err
	}
	input.Body, input.State, input.CommentPolicy = string(first), models.Published, models.PolicyFirstComment
	art, err := s.store.CreateArticle(ctx, s.actors["ines"], input)
	s.slug = art.Slug
	return err
}

func (s *sampler) final() (models.ArticleInput, error) {
	text, err := sampleFiles.ReadFile("sample/article.md")
	if err != nil {
		return models.ArticleInput{}, err
	}
	input, _, err := transfer.ReadMarkdown("article.md", bytes.NewReader(text))
	return input, err
}

// revise saves the final revision.
func (s *sampler) revise(ctx context.Context) error {
	input, err := s.final()
	if err != nil {
		return err
	}
	_, err = s.store.UpdateArticle(ctx, s.actors["ines"], s.slug, 1, models.ArticleChange{Body: &input.Body, Message: "Corrected section 12 after a reader’s remark, and tidied up"})
	return err
}

func (s *sampler) comment(ctx context.Context, c sampleComment) error {
	s.at(c.MinutesAgo)
	comment, err := s.store.CreateComment(ctx, s.actors[c.Author], s.slug, models.CommentInput{Body: c.Body, ParentID: s.comments[c.Parent]})
	if err != nil {
		return err
	}
	s.comments[c.Key] = comment.ID
	if comment.State == models.Pending && c.State != string(models.Pending) {
		if _, err := s.store.Decide(ctx, models.System(), models.DecisionInput{CommentIDs: []int64{comment.ID}, Kind: models.Approve}); err != nil {
			return err
		}
	}
	for value, voters := range map[int][]string{1: c.Up, -1: c.Down} {
		for _, voter := range voters {
			if _, err := s.store.Vote(ctx, s.actors[voter], comment.ID, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// takeBack deletes what the sample says was deleted, once it has its replies.
func (s *sampler) takeBack(ctx context.Context, comments []sampleComment) error {
	s.clock.now = s.start
	for _, c := range comments {
		if c.State == string(models.DeletedComment) {
			if _, err := s.store.DeleteComment(ctx, s.actors[c.Author], s.comments[c.Key]); err != nil {
				return err
			}
		}
	}
	return nil
}
