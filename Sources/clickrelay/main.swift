internal import Glibc

let code = CommandLineInterface(commands: CommandTable.all()).run(
    Array(CommandLine.arguments.dropFirst()), environment: Machine.environment())
exit(code.rawValue)
