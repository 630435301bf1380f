internal import Domain

/// What `help` prints, put together from the command table so that it can't fall behind.
enum HelpText {
    static func usage(of command: Command) -> String {
        var parts = ["clickrelay", command.name]
        if !command.operands.isEmpty { parts.append(command.operands) }
        for flag in command.flags { parts.append("[\(flag.usage)]") }
        return parts.joined(separator: " ")
    }

    /// Fits one screen: siblings share a line.
    static func overview(_ commands: [Command]) -> String {
        """
        Clickrelay \(Version.text): a self-hosted affiliate tracker.

        usage: clickrelay COMMAND [ARGUMENTS] [FLAGS]

          serve                            run the tracker
          demo                             see the whole chain work, on this machine only

          token create|list|revoke         API tokens
          source|network|offer|lander|flow|campaign|domain list|show|apply|archive
                                           what is tracked; `apply FILE` takes the API's JSON
          source templates                 the traffic sources whose macros are known
          network templates                the networks whose tokens are known
          network rotate-key|revoke-key    a new postback URL beside the old one
          simulate CAMPAIGN_KEY            what would become of a visit, and why
          trace ID                         the whole journey of a click, conversion or transaction
          report                           clicks, conversions and money
          conversions list|show            what was earned
          postbacks list|show|replay|reject
                                           what networks sent, with verdicts
          deliveries list|show|retry|cancel
                                           what traffic sources were told
          postback test                    call a destination once, and show what comes of it
          import conversions FILE          enter conversions from a CSV file
          cost list|show|set|add|import|remove|restore
                                           what clicks cost after all, for a range of days
          rates list|set|delete|import|currency|recompute
                                           the reporting currency and the rates to it
          geo update|list|lookup|reload    location files, and where they say an address is

          backup FILE, restore FILE        a data directory in one file, and back
          check                            integrity of a data directory
          healthcheck                      exit 0 if the server can record a click now
          config print                     the settings in effect
          version, help [TOPIC]            topics: any command, bots, config, costs,
                                           destinations, domains, landers, postback,
                                           redirects, routing, tokens

        Commands use the data directory (--data-dir, ./data), through its server when one is running.
        For a server elsewhere: --server URL, and CLICKRELAY_TOKEN in the environment.
        stdout is data, stderr is talk; --json where there is data.
        Exit: 0 done, 1 failed, 2 usage, 3 not found, 4 refused, 5 partly done, 75 try again.
        """
    }

    static func details(of command: Command) -> String {
        var text = "\(command.summary)\n\nusage: \(usage(of: command))\n"
        if !command.details.isEmpty { text += "\n\(command.details)\n" }
        if !command.flags.isEmpty {
            let rows = command.flags.map { [$0.usage, $0.summary] }
            text += "\n" + TextTable.columns(rows, indent: "  ")
        }
        switch command.scope {
        case .none: break
        case .settings:
            text += "\nEvery setting is a flag too, and --config FILE reads them from a file;\n"
            text += "`clickrelay help config` lists them.\n"
        case .api:
            text += """

                Where it looks:
                  --data-dir DIR    a data directory, through its server when one is running
                  --server URL      a server elsewhere, with CLICKRELAY_TOKEN or --token TOKEN
                Every setting is a flag too, and --config FILE reads them from a file;
                `clickrelay help config` lists them.

                """
        }
        return text
    }

    static let configuration: String = {
        let rows = Setting.allCases.map { setting in
            [
                setting.rawValue, setting.valueName,
                setting.fixedDefault ?? (setting == .loops ? "cores" : "-"), setting.summary,
            ]
        }
        return """
            Configuration

            Each setting may be given as a flag (--data-dir DIR), in the environment
            (CLICKRELAY_DATA_DIR=DIR) or in the file that --config names (a line
            CLICKRELAY_DATA_DIR=DIR or DATA_DIR=DIR). A flag wins over the environment, the
            environment over the file, the file over the default. The same file serves systemd's
            EnvironmentFile= and Docker's --env-file, which need the prefix.

            All problems are reported at once. `clickrelay config print` shows the result.


            """
                + TextTable.columns(
                    [["SETTING", "VALUE", "DEFAULT", "MEANING"]] + rows, indent: "")
    }()

    static let tokens: String = {
        let groups: [(String, String)] = [
            ("click", "click_id (also clickid, subid, cid)  external_id (also externalid)"),
            ("names", "campaign  campaign_id  offer_id  lander_id  source_id  network_id"),
            ("parameters", "var1 … var20  var:<parameter name>"),
            ("visitor", "ip  user_agent  referrer  language  country  region  city  isp"),
            ("", "device  os  os_version  browser  browser_version"),
            ("money", "cost"),
            ("time", "timestamp  timestamp_ms  timestamp_us  timestamp_iso8601"),
            ("", "timestamp_google  click_timestamp  click_timestamp_ms"),
            ("other", "random"),
            ("conversion", "payout  payout_minor  currency  status  event  revision"),
            ("", "transaction_id (also txid)  conversion_id  param1 … param10"),
        ]
        return """
            Tokens

            Written {name} in offer URLs and in the URLs, headers and bodies of destinations.
            Values are percent-encoded unless written {name:raw}. A query parameter whose token
            has no value is dropped in outbound postbacks and left empty in offer URLs.


            """
                + TextTable.columns(groups.map { [$0.0, $0.1] }, indent: "  ")
                    + """

                      {status:approved=1 pending=2}   the status renamed
                      {sha256:external_id}            the value's SHA-256, lower-case hex
                      "{payout:number}"               in a JSON body: a JSON number
                      {payout:2}                      with two decimals, as some want all amounts

                    Conversion tokens have a value in destinations only. An unknown token is refused when
                    the template is saved. country, region, city and isp have a value where a location
                    file tells them (`clickrelay help geo update`).

                    """
    }()
}
