//! stand-in until the merge
pub struct Screen;
impl Screen {
    pub fn open(_: &str, _: bool) -> Result<Box<dyn crate::runner::FrontEnd>, String> {
        Err("no full screen yet".to_owned())
    }
}
