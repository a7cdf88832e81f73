shop "a" {
