internal import Domain

/// Everything the API answers to.
enum Routes {
    static let all: [Route] =
        EntityResource<Source>.routes + EntityResource<Network>.routes
        + EntityResource<Offer>.routes + EntityResource<Lander>.routes
        + EntityResource<SharedFlow>.routes + EntityResource<Campaign>.routes
        + EntityResource<TrackingDomain>.routes
        + SimulationResource.routes
        + NetworkTemplateResource.routes + SourceTemplateResource.routes
        + PostbackKeyResource.routes
        + TraceResource.routes + ConversionResource.routes + EntryResource.routes
        + PostbackResource.routes + DestinationResource.routes + DestinationTestResource.routes
        + PauseResource.routes
        + ReplayResource.routes + AssignResource.routes + DeliveryResource.routes
        + DeliverySelectionResource.routes
        + ReportResource.routes + StatusResource.routes + SettingsResource.routes
        + RateResource.routes + CostResource.routes
        + GeoResource.routes
        + TokenResource.routes + OpenAPIResource.routes
}
