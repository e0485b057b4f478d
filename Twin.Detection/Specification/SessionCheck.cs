using Twin.Hardware;

namespace Twin.Detection.Specification;

/// <summary>Who may do what in a DLMS association (IEC 62056-5-3, and the client addresses of IDIS and DSMR).</summary>
public static class SessionCheck
{
    /// <summary>Client address of the public client: reads identification and clock, without authentication.</summary>
    public const byte PublicClient = 16;

    /// <summary>Failed logins within an hour from which on somebody is trying; a mistyped password is 1 or 2. Ours.
    /// </summary>
    public const int FailedPerHour = 5;

    /// <summary>True when the association changed something.</summary>
    public static bool Wrote(Session s) => s.Succeeded && (s.Used(FrameService.Set) || s.Used(FrameService.Action)
        || s.Used(FrameService.ImageBlock));

    /// <summary>Why the association should not have been possible; null when it was in order.</summary>
    public static string? Rogue(Session s)
    {
        if (!s.Succeeded || !Wrote(s)) return null;
        if (s.Client == PublicClient) return "the public client wrote, which may only read";
        return s.Mechanism == 0 ? "a client wrote without any authentication" : null;
    }
}
