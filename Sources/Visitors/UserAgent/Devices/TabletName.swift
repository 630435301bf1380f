/// Tablets by their names: most have `Tab`, `Pad` or `Tablet` in it.
enum TabletName {
    static func isLikely(_ text: AgentText, _ model: Range<Int>) -> Bool {
        var index = model.lowerBound
        while index + 3 <= model.upperBound {
            let isPad = text.starts(with: "pad", at: index)
            if isPad || text.starts(with: "tab", at: index), endsPart(text, index + 3),
                // Phones: Asus' PadFone, which has a tablet's case, and all of Coolpad's.
                !(isPad && text.starts(with: "fone", at: index + 3)),
                !text.starts(with: "coolpad", at: index - 4)
            {
                return true
            }
            if text.starts(with: "tablet", at: index) { return true }
            index += 1
        }
        return false
    }

    /// `IdeaTab A3000`, `PlayTabPro`, `TAB_7HD`: not `Stable` and `paddle`.
    private static func endsPart(_ text: AgentText, _ index: Int) -> Bool {
        let next = text[index]
        return !AgentText.isLetter(next) || next & 0x20 == 0
    }
}
