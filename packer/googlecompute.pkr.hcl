# The same machine, at Google. Credentials come from where Google's own tools have them.

source "googlecompute" "golden" {
  image_name          = var.image_name
  image_family        = var.gce_image_family
  project_id          = var.gce_project
  zone                = var.gce_zone
  machine_type        = var.gce_machine_type
  source_image_family = var.gce_source_family
  disk_size           = max(var.disk_gb, 10) # the least that a base has there
  disk_type           = "pd-balanced"
  subnetwork          = var.gce_subnetwork
  metadata_files = {
    user-data = var.user_data_file
  }
  image_labels = {
    runnerkit = "golden"
  }

  communicator         = "ssh"
  ssh_username         = var.ssh_username
  ssh_private_key_file = var.ssh_private_key_file
}
