/// Every command, in the order of `help`.
enum CommandTable {
    static func all() -> [Command] {
        ServeCommand.commands + ConfigCommand.commands + Version.commands
            + HelpCommand.commands(all)
    }
}
