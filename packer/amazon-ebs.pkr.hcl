# The same machine, at Amazon. Credentials come from where Amazon's own tools have them.

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
  launch_block_device_mappings {
    device_name           = var.aws_root_device
    volume_size           = var.disk_gb
    volume_type           = "gp3"
    iops                  = 3000 # the least; old Packers want it said
    throughput            = 125
    delete_on_termination = true
  }
  subnet_id      = var.aws_subnet_id
  user_data_file = var.user_data_file
  tags = {
    Name      = var.image_name
    runnerkit = "golden"
  }

  communicator         = "ssh"
  ssh_username         = var.ssh_username
  ssh_private_key_file = var.ssh_private_key_file
}
