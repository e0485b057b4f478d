using Twin.Hardware;

namespace Twin.Detection.Network;

/// <summary>
/// What a DLMS association may do: a specification, after Berthier and Sanders (PRDC 2011), not a statistic. Clients
/// and authentication mechanisms as in the Green Book: 16 is the public client, 1 the management client; mechanism 0 is
/// none, 1 a password, 3 to 7 challenge and response.
/// </summary>
public static class SessionRules
{
    private const byte ManagementClient = 1, PublicClient = 16;
    private const byte NoAuthentication = 0, Password = 1, FirstHighLevel = 3;

    /// <summary>
    /// The rule that a session broke, as the end of a sentence about the session; null when it broke none. A session
    /// that failed to associate did nothing.
    /// </summary>
    public static string? BrokenBy(Session s)
    {
        if (!s.Succeeded) return null;
        var writes = s.Used(FrameService.Set) || s.Used(FrameService.Action) || s.Used(FrameService.ImageBlock);
        if (writes && s.Mechanism < FirstHighLevel)
            return s.Mechanism == NoAuthentication ? "wrote without authentication"
                : "wrote with no more than a password";
        if (writes && s.Client == PublicClient) return "wrote as the public client, which may only read";
        if (s.Mechanism == NoAuthentication && s.Client != PublicClient)
            return $"associated as client {s.Client} without authentication";
        if (s.Mechanism == Password && s.Client == ManagementClient)
            return "associated as the management client with a password only";
        if (s.Port == CommandOrigin.Mesh && s.Client == ManagementClient)
            return "associated as the management client from within the mesh";
        return s.Used(FrameService.ImageBlock) && s.Port is CommandOrigin.Mesh or CommandOrigin.Unknown
            && s.Client != ManagementClient ? $"sent an image as client {s.Client}" : null;
    }

    /// <summary>True when it wrote: what it may have changed must be looked at.</summary>
    public static bool Wrote(Session s) => s.Used(FrameService.Set) || s.Used(FrameService.Action)
        || s.Used(FrameService.ImageBlock);

    /// <summary>The finding for a broken rule; null when there is none.</summary>
    public static Finding? Judge(Session s, in Fleet.Party self)
    {
        if (BrokenBy(s) is not { } rule) return null;
        var tool = s.Tool.Length > 0 ? $" by {s.Tool}" : "";
        return Fleet.FleetStatements.Make(self, FindingKind.RogueSession, s.At,
            new UnixTime(s.At.Seconds + Math.Min(s.Seconds, 86_400)), s.At, 4,
            Wrote(s) ? Severity.High : Severity.Medium, 0.95, Fleet.FleetStatements.Sessions, "T0848",
            $"A session at {self.Name} over {s.Port}{tool} {rule}.",
            [
                new Evidence("client", s.Client, 0, 0.3, ""), new Evidence("mechanism", s.Mechanism, 5, 0.7, ""),
            ]);
    }
}
