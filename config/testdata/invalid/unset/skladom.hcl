secrets {
  master_key = env("NOT_SET")
}
