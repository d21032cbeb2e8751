pub fn html(_plan: &crate::plan::Plan, _record: &crate::transcript::Record) -> String {
    String::new()
}
