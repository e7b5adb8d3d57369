package models_test

import (
	"testing"

	"postil/models"
	"postil/models/modelstest"
)

// Comments by 32 writers at once: what a use case costs, the disk included.
func BenchmarkCreateComment(b *testing.B) {
	fx := modelstest.New(b)
	author := fx.User(models.Author, "author")
	art := fx.Article(author, func(in *models.ArticleInput) { in.CommentPolicy = models.PolicyOpen })
	b.SetParallelism(16)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := fx.CreateComment(b.Context(), author, art.Slug, models.CommentInput{Body: "A comment of **ordinary** length, with a second sentence."}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// A page of 100 comments, read and assembled, without rendering it.
func BenchmarkDiscussion(b *testing.B) {
	fx := modelstest.New(b)
	author := fx.User(models.Author, "author")
	art := fx.Article(author, func(in *models.ArticleInput) { in.CommentPolicy = models.PolicyOpen })
	for i := range 100 {
		var parent int64
		if i%4 == 3 {
			parent = int64(i)
		}
		fx.Comment(author, art.Slug, "A comment of **ordinary** length.", parent)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := fx.Discussion(b.Context(), models.Actor{}, art.Slug, models.Best, models.Page{Limit: 100}); err != nil {
			b.Fatal(err)
		}
	}
}
