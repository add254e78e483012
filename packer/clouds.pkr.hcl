# The same machine, in a cloud. Credentials come from where the clouds' own tools have them.

source "amazon-ebs" "golden" {
  ami_name      = var.image_name
  region        = var.aws_region
  instance_type = var.aws_instance_type
  source_ami_filter {
    owners      = [var.aws_source_owner]
    most_recent = true
    filters = {
      name                = var.aws_source_name
      virtualization-type = "hvm"
      root-device-type    = "ebs"
    }
  }
  user_data_file = var.user_data_file
  tags = {
    Name      = var.image_name
    runnerkit = "golden"
  }

  communicator         = "ssh"
  ssh_username         = var.ssh_username
  ssh_private_key_file = var.ssh_private_key_file
}

source "googlecompute" "golden" {
  image_name          = var.image_name
  image_family        = var.gce_image_family
  project_id          = var.gce_project
  zone                = var.gce_zone
  machine_type        = var.gce_machine_type
  source_image_family = var.gce_source_family
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
