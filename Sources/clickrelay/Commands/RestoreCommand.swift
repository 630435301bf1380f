internal import Domain
internal import SQLite
internal import Store

/// `restore FILE`: a data directory out of a backup.
enum RestoreCommand {
    static let commands = [
        Command(
            words: ["restore"], operands: "FILE", operandCount: 1...1,
            summary: "make a data directory from a backup",
            flags: [Command.jsonFlag], scope: .settings,
            details: """
                Fills the directory that --data-dir names, which must be empty or not there yet. FILE
                is read to its end and compared with its checksums before anything is put in place:
                what is damaged, was cut short or is no backup is refused and leaves the directory as
                it was. Then everything is checked as by `clickrelay check`.

                Deliveries that were waiting when the backup was made are called when a server
                starts, also those that were delivered since, with the same Idempotency-Key as then.
                Exit 4: refused. 5: restored, and faults that were in the backup are listed.

                  clickrelay restore /backups/clickrelay.tar --data-dir /srv/clickrelay-new
                """,
            run: run)
    ]

    private static func run(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        let configuration = try invocation.configuration()
        let directory = DataDirectory(path: configuration.dataDirectory)
        let path = invocation.operands[0]
        let shown = Printable.text(path)
        defer { Terminal.endProgress() }
        let check: DirectoryCheck
        let reader: BackupReader
        do {
            reader = try BackupReader(path: path)
            let target = try RestoreTarget(directory)
            try reader.extract(to: target.staged.path) { share in
                Terminal.progress("\(shown): \(Int(share * 100)) %")
            }
            // A program that is older than the ledger is told so, and a ledger that is none.
            _ = try DirectorySnapshot(target.staged)
            check = DirectoryCheck(target.staged, progress: Terminal.progress)
            check.run()
            try target.finish()
        } catch let failure as CommandFailure {
            throw failure
        } catch let failure as BackupReader.Failure {
            switch failure {
            case .fault(let fault): throw CommandFailure(.refused, "\(shown) \(fault.message)")
            case .file(let error): throw .failed(error.description)
            }
        } catch {
            throw .failed("\(shown) was not restored: \(error)")
        }
        Terminal.endProgress()
        report(check, reader, directory, asJSON: invocation.wantsJSON)
        return check.faults.isEmpty ? .done : .partlyDone
    }

    private static func report(
        _ check: DirectoryCheck, _ reader: BackupReader, _ directory: DataDirectory, asJSON: Bool
    ) {
        if asJSON {
            let madeAt = JSONMember(name: "made_at", value: .string(reader.madeAt))
            let members = [madeAt] + (CheckCommand.json(check).objectValue ?? [])
            Terminal.line(JSONValue.object(members).encoded(pretty: true))
        } else {
            Terminal.line(
                "\(Printable.text(directory.path)) as of \(Printable.text(reader.madeAt)): "
                    + CheckCommand.counts(check))
        }
        for fault in check.faults {
            Terminal.talk(
                "clickrelay: a fault of the backup: "
                    + Printable.text("\(fault.file): \(fault.message)"))
        }
    }
}
