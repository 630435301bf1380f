/// Every command, in the order of `help`.
enum CommandTable {
    static func all() -> [Command] {
        ServeCommand.commands + DemoCommand.commands + TokenCommands.commands
            + EntityCommands.commands
            + SimulateCommand.commands + TraceCommand.commands
            + ReportCommand.commands + ConversionCommands.commands + PostbackCommands.commands
            + DeliveryCommands.commands + PauseCommands.commands + PostbackTestCommand.commands
            + ImportCommand.commands + RateCommands.commands + CostCommands.commands
            + GeoCommands.commands
            + CheckCommand.commands + BackupCommand.commands + RestoreCommand.commands
            + HealthcheckCommand.commands
            + ConfigCommand.commands
            + Version.commands + HelpCommand.commands(all)
    }
}
