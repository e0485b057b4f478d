using Twin.Detection.Fleet;
using Twin.Detection.Network;
using Twin.Grains.Cases;
using Twin.Grains.Guards;
using Twin.Grains.Meters;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Concentrators;

/// <summary>
/// What a concentrator says before something behind it is isolated: how many meters are read through it. Cutting off
/// a relay must not make a street unreadable.
/// </summary>
internal static class Isolation
{
    /// <summary>Counts, and hands the reservation on to the first guard, or back when too many are cut off.</summary>
    /// <exception cref="InvalidDataException">The message is damaged, or no reservation.</exception>
    public static void Judge(ReadOnlySpan<byte> message, in Party self, RouteTable routes, IOutbox outbox)
    {
        var r = new ByteReader(message);
        if (AnswerHead.Read(ref r) is not AnswerKind.Reserve and var kind)
            throw r.Bad($"a concentrator takes no message of kind {kind}");
        var asked = Reservation.Read(ref r);
        if (!r.AtEnd) throw r.Bad("bytes follow a reservation");
        asked = asked with { Behind = Behind(asked.Subject, self.Key, routes) };
        var to = Scratch.Mine.Bytes;
        to.Clear();
        if (asked.Limits.MaxBehind < 0 || asked.Behind <= asked.Limits.MaxBehind)
        {
            AnswerHead.Write(to, AnswerKind.Reserve);
            asked.Write(to);
            outbox.Send(asked.Way[0], to.Written);
            return;
        }
        AnswerHead.Write(to, AnswerKind.Reserved);
        new ReservationAnswer(asked.Response, false, self.Key,
            $"{asked.Behind} meters are read through it, and at most {asked.Limits.MaxBehind} may be cut off",
            asked.Behind).Write(to);
        outbox.Send(asked.Case, to.Written);
    }

    /// <summary>
    /// Meters read through a meter, itself not counted, by the routes last heard of; all of them through the
    /// concentrator itself. Each is counted once, so that a ring in what meters claim of their routes does not matter.
    /// </summary>
    public static int Behind(TwinKey target, TwinKey self, RouteTable routes)
    {
        var members = routes.Members;
        if (target == self) return members.Count;
        var (through, count, grew) = (new HashSet<ulong> { target.Id }, 0, true);
        // Each turn but the last adds a meter: at most as many turns as there are members, about as many as hops.
        while (grew)
        {
            grew = false;
            foreach (var m in members)
            {
                if (m.Via == 0 || !through.Contains(m.Via) || !through.Add(m.Id)) continue;
                (count, grew) = (count + 1, true);
            }
        }
        return count;
    }
}
