//! Where a medium is: a folder somebody mounted, or a block device that we mount ourselves in a private folder and unmount again.

use super::MediumError;
use super::blocks::{Mounts, number_of};
use crate::basics::digest::hex_encode;
use rustix::fs::{FileType, stat};
use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use std::ffi::CStr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// File systems a stick may have, in the order tried, with their options: on FAT everything belongs to us alone.
const FILE_SYSTEMS: [(&str, Option<&CStr>); 4] = [
    ("vfat", Some(c"umask=077,errors=remount-ro")),
    ("exfat", Some(c"umask=077,errors=remount-ro")),
    ("ext4", None),
    ("ext2", None),
];

/// What a medium is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
}

/// A medium's folder for as long as this lives.
#[derive(Debug)]
pub struct Place {
    folder: PathBuf,
    mounted: Option<Mounted>,
}

#[derive(Debug)]
struct Mounted {
    device: PathBuf,
    folder: PathBuf,
    left: bool,
}

impl Place {
    /// A folder as it is, or a block device mounted by us.
    ///
    /// # Errors
    /// Where the path is neither, or the device does not mount.
    pub fn at(path: &Path, access: Access) -> Result<Self, MediumError> {
        let absent = |found: &str| MediumError::NoMedium { path: path.to_owned(), found: found.to_owned() };
        let found =
            stat(path).map_err(|e| absent(&if e == Errno::NOENT { "nothing".to_owned() } else { e.to_string() }))?;
        match FileType::from_raw_mode(found.st_mode) {
            FileType::Directory => Ok(Self { folder: path.to_owned(), mounted: None }),
            FileType::BlockDevice => {
                if let Some(already) = Mounts::now().of(&number_of(found.st_rdev)) {
                    return Err(absent(&format!(
                        "a device that is mounted at {}: name that folder",
                        already.display()
                    )));
                }
                let mounted = Mounted::mount(path, access)?;
                Ok(Self { folder: mounted.folder.clone(), mounted: Some(mounted) })
            }
            _ => Err(absent("something else")),
        }
    }

    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether we mounted it, so that it can be pulled once we have left.
    #[must_use]
    pub const fn is_ours(&self) -> bool {
        self.mounted.is_some()
    }

    /// Unmounts and mounts again to read: what is read then comes from the device. A folder stays as it is.
    ///
    /// # Errors
    /// Where the kernel refuses.
    pub fn again(self) -> Result<Self, MediumError> {
        match &self.mounted {
            None => Ok(self),
            Some(mounted) => {
                let device = mounted.device.clone();
                self.leave()?;
                Self::at(&device, Access::Read)
            }
        }
    }

    /// Unmounts what we mounted.
    ///
    /// # Errors
    /// Where the kernel refuses: then it must not be pulled.
    pub fn leave(mut self) -> Result<(), MediumError> {
        self.mounted.as_mut().map_or(Ok(()), Mounted::unmount)
    }
}

impl Mounted {
    fn mount(device: &Path, access: Access) -> Result<Self, MediumError> {
        let shown = device.display().to_string();
        let folder =
            private_folder().map_err(|cause| MediumError::NoMedium { path: device.to_owned(), found: cause })?;
        let mut flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC | MountFlags::NOATIME;
        // Names go to the device as they are made: a second cure for FAT beside the second fsync.
        flags |= if access == Access::Read { MountFlags::RDONLY } else { MountFlags::DIRSYNC };
        let mut why = Errno::NODEV;
        for (kind, options) in FILE_SYSTEMS {
            match mount(device, &folder, kind, flags, options) {
                Ok(()) => return Ok(Self { device: device.to_owned(), folder, left: false }),
                // Another file system, or one this kernel does not know.
                Err(Errno::INVAL | Errno::NODEV) => {}
                Err(cause) => {
                    why = cause;
                    break;
                }
            }
        }
        let _ = std::fs::remove_dir(&folder);
        if why == Errno::NODEV {
            let known = FILE_SYSTEMS.map(|(kind, _)| kind).join(", ");
            let found = format!("no file system this kernel mounts for us ({known})");
            return Err(MediumError::NoMedium { path: device.to_owned(), found });
        }
        Err(MediumError::io(&shown, "mounting")(why))
    }

    fn unmount(&mut self) -> Result<(), MediumError> {
        if !self.left {
            unmount(&self.folder, UnmountFlags::NOFOLLOW)
                .map_err(MediumError::io(&self.device.display().to_string(), "unmounting"))?;
            self.left = true;
            let _ = std::fs::remove_dir(&self.folder);
        }
        Ok(())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if self.unmount().is_err() {
            let _ = unmount(&self.folder, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW);
            let _ = std::fs::remove_dir(&self.folder);
        }
    }
}

/// A new folder that only we can enter.
fn private_folder() -> Result<PathBuf, String> {
    let mut octets = [0; 8];
    getrandom::fill(&mut octets).map_err(|e| format!("the machine's random source: {e}"))?;
    let name = format!("anchorite-medium-{}", hex_encode(&octets));
    let run = Path::new("/run");
    let parent = if run.is_dir() { run.to_owned() } else { std::env::temp_dir() };
    let folder = parent.join(name);
    std::fs::DirBuilder::new().mode(0o700).create(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    Ok(folder)
}
