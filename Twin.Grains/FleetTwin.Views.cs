using System.Globalization;
using Twin.Hardware;
using Twin.Hardware.Attestation;

namespace Twin.Grains;

/// <summary>
/// A registered image. <paramref name="Image"/>: the first 16 bytes of its SHA-256; <paramref name="Users"/>: devices
/// that reported it, exact up to 256, then estimated from a sample.
/// </summary>
public sealed record ReleaseView(string Image, string Name, FirmwarePart Part, string Model, uint Version,
    int SecurityVersion, UnixTime At, UnixTime? Withdrawn, string Reason, long Users);

/// <summary>A member of a campaign, and since when it is in its state.</summary>
public sealed record CampaignMemberView(MeterId Meter, CampaignState State, UnixTime Since);

/// <summary>
/// How far a campaign is. <paramref name="Members"/>: those known, above 4,096 estimated from
/// <paramref name="Sample"/>, which is in order of id; <paramref name="Stuck"/>: members that held the image back when
/// that was stated, 0 when it never was.
/// </summary>
public sealed record CampaignProgress(string Name, UnixTime LastAt, long Members, int Stuck,
    IReadOnlyList<CampaignMemberView> Sample);

/// <summary>What one partition of the fleet's registry holds.</summary>
public sealed record FleetHoldings(IReadOnlyList<ReleaseView> Releases, IReadOnlyList<CampaignProgress> Campaigns)
{
    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static FleetHoldings From(TwinKey key, ReadOnlySpan<byte> state) =>
        FleetTwin.Restore(key.Id, state).Holdings();
}

public sealed partial class FleetTwin
{
    internal FleetHoldings Holdings() => new(
        [.. _images.All.Where(u => u.Release is not null).Select(u => ViewOf(u.Release!, u.Users))],
        [.. _campaigns.All.Select(c => new CampaignProgress(c.Name, new UnixTime(c.LastAt), c.Members, c.Stuck,
            [.. c.Sample.Select(m => new CampaignMemberView(new MeterId(m.Key), (CampaignState)m.Value.State,
                new UnixTime(m.Value.Since)))]))]);

    private static ReleaseView ViewOf(Release r, long users) => new(
        r.Image.High.ToString("x32", CultureInfo.InvariantCulture), r.Name, r.Part, r.Model, r.Version,
        r.SecurityVersion, r.At, r.Withdrawn.Seconds == 0 ? null : r.Withdrawn, r.Reason, users);
}
