# What a build needs to know. `./inv golden.bake` gives all of it; nothing here is a secret.

variable "image_name" {
  type        = string
  description = "The image's name, with its version: runner-host-YYYYMMDD-HHMMSS. Google allows no dots in it."
  default     = "runner-host-00000000-000000"

  validation {
    condition     = length(var.image_name) <= 63 && regex_replace(var.image_name, "^[a-z][a-z0-9-]*", "") == ""
    error_message = "The image_name may have lower-case letters, digits and dashes, at most 63."
  }
}

variable "provision" {
  type        = string
  description = "The command that sets up the machine at RUNNERKIT_HOST; ./inv golden.bake gives it."
  default     = "echo 'this template is run by ./inv golden.bake' >&2; exit 1"
}

variable "ssh_username" {
  type        = string
  description = "The user that the build logs in as, with sudo. The seal removes it."
  default     = "bake"
}

variable "ssh_private_key_file" {
  type        = string
  description = "Its private key, made for this build alone (ed25519: old Packers offer ssh-rsa otherwise)."
  default     = ""
}

variable "user_data_file" {
  type        = string
  description = "cloud-init's user data: makes the build's user, and gives the machine the host key that the kit expects."
  default     = "/dev/null"
}

variable "power_off_command" {
  type        = string
  description = "What the seal leaves to be done at the very end, as root: removes the build's user and powers off."
  default     = "sh /run/runnerkit/power-off"
}

variable "disk_gb" {
  type        = number
  description = "The disk's size, at least the base's."
  default     = 8
}

# QEMU

variable "base_image" {
  type        = string
  description = "The base disk, a qcow2 file."
  default     = "base.qcow2"
}

variable "base_checksum" {
  type        = string
  description = "Its checksum, sha256:…; none for a trial."
  default     = "none"
}

variable "meta_data_file" {
  type        = string
  description = "NoCloud's meta-data: the machine's instance-id."
  default     = "/dev/null"
}

variable "output_directory" {
  type        = string
  description = "Where the image is written; must not exist."
  default     = "output"
}

variable "memory_mb" {
  type        = number
  description = "The memory of the machine that is built in; no matter to the image."
  default     = 2048
}

variable "cpus" {
  type        = number
  description = "Its processors."
  default     = 2
}

variable "accelerator" {
  type        = string
  description = "kvm, or tcg where KVM does not work."
  default     = "tcg"
}

variable "console_file" {
  type        = string
  description = "Where the machine's serial console is written; told when something hangs."
  default     = "/dev/null"
}

# Clouds

variable "aws_region" {
  type        = string
  description = "Amazon's region that is built in."
  default     = "eu-central-1"
}

variable "aws_instance_type" {
  type        = string
  description = "The machine that is built on, at Amazon."
  default     = "t3.small"
}

variable "aws_source_owner" {
  type        = string
  description = "Who publishes the base at Amazon; this number is Debian's."
  default     = "136693071363"
}

variable "aws_source_name" {
  type        = string
  description = "The base's name at Amazon, with wildcards; the newest is taken."
  default     = "debian-12-amd64-*"
}

variable "aws_root_device" {
  type        = string
  description = "The base's root device, which is made disk_gb large: /dev/xvda of Debian's, /dev/sda1 of Ubuntu's."
  default     = "/dev/xvda"
}

variable "aws_subnet_id" {
  type        = string
  description = "The subnet that is built in, which must reach the package archive; without it, the default VPC's."
  default     = ""
}

variable "gce_project" {
  type        = string
  description = "Google Cloud's project that is built in."
  default     = "my-project"
}

variable "gce_zone" {
  type        = string
  description = "Google Cloud's zone that is built in."
  default     = "europe-west3-a"
}

variable "gce_subnetwork" {
  type        = string
  description = "The subnetwork that is built in; without it, the default network's."
  default     = ""
}

variable "gce_machine_type" {
  type        = string
  description = "The machine that is built on, at Google."
  default     = "e2-small"
}

variable "gce_source_family" {
  type        = string
  description = "The family of the base image at Google; it must have cloud-init."
  default     = "ubuntu-2404-lts-amd64"
}

variable "gce_image_family" {
  type        = string
  description = "The family that the image joins at Google: its newest is what instance templates name."
  default     = "runner-host"
}
