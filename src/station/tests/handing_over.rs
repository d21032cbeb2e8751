//! What a killed process leaves is found, overwritten and removed; what a living one writes is not touched.

use super::*;

#[test]
fn what_a_dead_writer_left_is_removed_and_named_and_a_living_ones_is_left_alone() {
    let (mut factory, _) = Factory::stocked(1);
    let station = factory.station();
    let out = tempfile::tempdir().unwrap();
    let [file, folder, living] = [".a.p12.partial", ".b.partial", ".c.partial"].map(|name| out.path().join(name));
    for (path, device) in [(&file, "D1-0"), (&folder, ""), (&living, "D1-2")] {
        let mut over = station.handing_over(path).unwrap();
        assert!(!path.exists(), "only looked for room");
        over.begins(device).unwrap();
        // As after a kill: nothing of ours runs any more, and the lock is gone.
        if path == &living { std::mem::forget(over) } else { drop_without_removing(over, path) }
    }
    std::fs::write(&file, "-----BEGIN PRIVATE KEY-----").unwrap();
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("device.key.pem"), "-----BEGIN PRIVATE KEY-----").unwrap();
    std::fs::write(&living, "being written").unwrap();
    let kept = out.path().join("kept");
    std::fs::hard_link(&file, &kept).unwrap();

    let mut left: Vec<(String, String, bool)> = station
        .sweep()
        .unwrap()
        .into_iter()
        .map(|left| (left.path.display().to_string(), left.device.to_string(), left.problem.is_none()))
        .collect();
    left.sort();
    let expected =
        [(&file, "D1-0"), (&folder, "")].map(|(path, device)| (path.display().to_string(), device.to_owned(), true));
    assert_eq!(left, expected);
    assert!(!file.exists() && !folder.exists() && living.exists());
    assert_eq!(std::fs::read(&kept).unwrap(), [0; 27], "overwritten, not only removed");
    assert!(station.sweep().unwrap().is_empty(), "said once");
}

/// A note stays where what it speaks of is there when its writer ends.
fn drop_without_removing(over: crate::station::handing_over::HandingOver, path: &Path) {
    std::fs::write(path, "").unwrap();
    drop(over);
    std::fs::remove_file(path).unwrap();
}

#[test]
fn what_is_no_unfinished_file_of_ours_is_left_and_said() {
    let (mut factory, _) = Factory::stocked(1);
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().join(".a.partial");
    drop_without_removing(factory.station().handing_over(&folder).unwrap(), &folder);
    std::fs::create_dir_all(folder.join("inner")).unwrap();
    let left = factory.station().sweep().unwrap();
    assert!(left[0].problem.is_some() && folder.join("inner").exists());
    // A link to somebody's file is not followed.
    std::fs::remove_dir_all(&folder).unwrap();
    let theirs = out.path().join("theirs");
    std::fs::write(&theirs, "theirs").unwrap();
    std::os::unix::fs::symlink(&theirs, &folder).unwrap();
    let left = factory.station().sweep().unwrap();
    assert!(left[0].problem.is_some());
    assert_eq!(std::fs::read_to_string(&theirs).unwrap(), "theirs");
    std::fs::remove_file(&folder).unwrap();
    assert!(factory.station().sweep().unwrap().is_empty());
    // And a place that somebody has is not begun at all.
    std::fs::write(&folder, "theirs").unwrap();
    assert!(factory.station().handing_over(&folder).is_err());
    assert!(factory.station().sweep().unwrap().is_empty());
    assert_eq!(std::fs::read_to_string(&folder).unwrap(), "theirs");
}
