using System.Text.Json.Serialization;

namespace HpAsyncPs.Monitoring.Documents;

/// <summary>JSON of what the monitoring port says: keys in snake_case, units in the names.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(StatusDocument))]
[JsonSerializable(typeof(TickDocument))]
[JsonSerializable(typeof(EventDocument))]
[JsonSerializable(typeof(EventsDocument))]
[JsonSerializable(typeof(HealthDocument))]
[JsonSerializable(typeof(HistoryDocument))]
public sealed partial class MonitorJson : JsonSerializerContext;
