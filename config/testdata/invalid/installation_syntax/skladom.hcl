temporal {
  task_queue "skladom"
}
