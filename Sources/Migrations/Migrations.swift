/// The SQL of `Migrations/`, compiled into the binary so that it needs no file beside it.
///
/// A file that is added there is added here; a test compares the two. A released one is never
/// edited.
public enum EmbeddedMigrations {
    /// `clickrelay.db`.
    public static let ledger: [(version: Int, name: String, sql: String)] = [
        (1, "initial", text(PackageResources.v0001_initial_sql)),
        (2, "replay", text(PackageResources.v0002_replay_sql)),
        (3, "limits", text(PackageResources.v0003_limits_sql)),
        (4, "rates", text(PackageResources.v0004_rates_sql)),
        (5, "destinations", text(PackageResources.v0005_destinations_sql)),
        (6, "destination_numbers", text(PackageResources.v0006_destination_numbers_sql)),
        (7, "delivery_auth", text(PackageResources.v0007_delivery_auth_sql)),
        (8, "pauses", text(PackageResources.v0008_pauses_sql)),
        (9, "conversion_costs", text(PackageResources.v0009_conversion_costs_sql)),
        (10, "routing", text(PackageResources.v0010_routing_sql)),
        (11, "cost_layers", text(PackageResources.v0011_cost_layers_sql)),
        (12, "domains", text(PackageResources.v0012_domains_sql)),
        (13, "lander_clicks", text(PackageResources.v0013_lander_clicks_sql)),
        (14, "acceptances", text(PackageResources.v0014_acceptances_sql)),
        (15, "click_days", text(PackageResources.v0015_click_days_sql)),
        (16, "conversion_ways", text(PackageResources.v0016_conversion_ways_sql)),
        (17, "visitors", text(PackageResources.v0017_visitors_sql)),
        (18, "places", text(PackageResources.v0018_places_sql)),
    ]

    /// `clicks/DAY.db`.
    public static let clicks: [(version: Int, name: String, sql: String)] = [
        (1, "initial", text(PackageResources.clicks_v0001_initial_sql)),
        (2, "routing", text(PackageResources.clicks_v0002_routing_sql)),
        (3, "lander_clicks", text(PackageResources.clicks_v0003_lander_clicks_sql)),
        (4, "ways", text(PackageResources.clicks_v0004_ways_sql)),
        (5, "visitors", text(PackageResources.clicks_v0005_visitors_sql)),
        (6, "places", text(PackageResources.clicks_v0006_places_sql)),
        (7, "visits", text(PackageResources.clicks_v0007_visits_sql)),
    ]

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
