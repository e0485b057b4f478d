using Twin.Grains.Policies;
using Twin.Hardware;

namespace Twin.Grains.Guards;

/// <summary>An account as the fleet's guard sees it: commands granted within a day, refused in this episode.</summary>
public sealed record AccountView(string Name, int CommandsDay, long WattsDay, int Refused);

/// <summary>
/// A guard for people: what of which budget is used. <paramref name="JumpedAt"/>: when time last jumped forward, for
/// which nothing was given back; null when it did not within a day. <paramref name="HeldSeconds"/>: for how long
/// nothing at all is granted, because a backup was restored; 0 otherwise.
/// </summary>
public sealed record GuardView(TwinKey Key, string Name, UnixTime SeenAt, int Commands5, int CommandsHour,
    int CommandsDay, long Watts5, long WattsHour, long WattsDay, Budget Budget, UnixTime? JumpedAt,
    long HeldSeconds, AccountView[] Accounts)
{
    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static GuardView From(TwinKey key, ReadOnlySpan<byte> state) => GuardTwin.Restore(key.Id, state).View();
}
