using Twin.Hardware;
using Twin.Hardware.Attestation;

namespace Twin.Grains.Tests;

/// <summary>Letters as meters send them, one a line.</summary>
internal static class Letters
{
    /// <summary>2024-01-01 00:00 UTC.</summary>
    public const long T0 = 1_704_067_200;
    public const long Hour = 3_600, Day = 86_400;

    public static UnixTime At(long seconds) => new(T0 + seconds);

    public static string Name(int meter) => $"M-{meter:0000}";

    public static TwinKey Key(int meter) => MeterId.FromUtilityId(Name(meter)).Twin;

    private static (TwinKey, FleetLetter) Of(int meter, FleetLetterKind kind, long at, ulong hash, byte aspect,
        ulong extra, bool flag, string text) =>
        (Key(meter), new FleetLetter(kind, At(at), hash, aspect, extra, flag, Name(meter), text));

    public static (TwinKey, FleetLetter) KeySeen(int meter, ulong key, long at = 0) =>
        Of(meter, FleetLetterKind.KeySeen, at, key, (byte)KeySlot.DeviceSigning, 0, true, "");

    public static (TwinKey, FleetLetter) Signed(int meter, ulong r, ulong key, string message, long at = 0) =>
        Of(meter, FleetLetterKind.SignatureSeen, at, r, 0, key, false, message);

    public static (TwinKey, FleetLetter) Image(int meter, ulong image, bool trusted, string model = "ZX",
        long at = 0, FirmwarePart part = FirmwarePart.Application) =>
        Of(meter, FleetLetterKind.ImageSeen, at, image, (byte)part, 7, trusted, model);

    public static (TwinKey, FleetLetter) Tool(int meter, string tool, bool covered, long at) =>
        Of(meter, FleetLetterKind.ToolUsed, at, StableHash.Of(tool), 0, 0, covered, tool);

    public static (TwinKey, FleetLetter) Switched(int meter, CommandKind command, CommandOrigin origin, bool covered,
        long at, string actor = "") =>
        Of(meter, FleetLetterKind.Switched, at, 0, (byte)command, (ulong)origin, covered, actor);

    public static (TwinKey, FleetLetter) Campaign(int meter, string name, CampaignState state, long at,
        long inState = 0) =>
        Of(meter, FleetLetterKind.CampaignProgress, at, StableHash.Of(name), (byte)state, (ulong)inState, false, name);

    public static (TwinKey, FleetLetter) Burst(int meter, ulong events, long at) =>
        Of(meter, FleetLetterKind.EventBurst, at, 0, 0, events, false, "");

    public static (TwinKey, FleetLetter) Stated(int meter, FindingKind kind, long at) =>
        Of(meter, FleetLetterKind.FindingStated, at, 0, (byte)kind, 0, false, "");

    public static Release Release(string image, long at = 0, long withdrawn = 0, string model = "ZX",
        FirmwarePart part = FirmwarePart.Application) =>
        new(Digest.Of(System.Text.Encoding.UTF8.GetBytes(image)), At(at), part, model, image, 7, 1,
            withdrawn == 0 ? default : At(withdrawn), withdrawn == 0 ? "" : "a known hole");

    public static ulong Short(string image) => Digest.Of(System.Text.Encoding.UTF8.GetBytes(image)).Short;
}
