using Twin.Grains;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>How the service stands, as events tell it.</summary>
internal sealed record StatusView(ServiceMode Mode, string Edition, string Engine, UnixTime Now, long Position,
    UnixTime? Watermark, int? ClosedThrough, bool IsReady, string? StorageError, long Meters, long Twins,
    long Readings, long Findings, long Rejected)
{
    public static StatusView Of(IFleet fleet, ApiOptions options)
    {
        var s = fleet.Status;
        return new StatusView(options.Mode, options.Edition, s.Engine, options.Now(), s.Position, s.Watermark,
            s.ClosedThroughDay, s.IsReady, s.StorageError, s.Meters, s.Twins, s.Readings, s.Findings, s.Rejected);
    }
}
