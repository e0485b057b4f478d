using Twin.Hardware;

namespace Twin.Grains.Fleet;

/// <summary>One letter with its sender.</summary>
internal readonly record struct ReceivedLetter(TwinKey From, FleetLetter Letter, int Place);

/// <summary>
/// Letters of one round in the order in which they are folded: what partitions tell each other first, then by event
/// time, then by sender. So the order of folding follows what happened, and not who has the smaller id.
/// </summary>
internal static class FleetLetterBox
{
    /// <summary>Most letters of one message; a longer one is damaged.</summary>
    public const int MaxLetters = 4_096;

    /// <summary>A message is one letter or several, one behind another.</summary>
    /// <exception cref="InvalidDataException">A message is damaged.</exception>
    public static List<ReceivedLetter> Open(IInbox inbox)
    {
        var letters = new List<ReceivedLetter>(inbox.Count);
        for (var i = 0; i < inbox.Count; i++)
        {
            var mail = inbox[i];
            if (FleetNews.Is(mail.Body)) continue;
            var r = new Twin.Hardware.Coding.ByteReader(mail.Body);
            for (var n = 0; !r.AtEnd; n++)
            {
                if (n == MaxLetters) throw r.Bad($"a message holds more than {MaxLetters} letters");
                letters.Add(new ReceivedLetter(mail.From, FleetLetter.Read(ref r), letters.Count));
            }
        }
        letters.Sort(Compare);
        return letters;
    }

    private static int Compare(ReceivedLetter a, ReceivedLetter b)
    {
        var byRank = Rank(a.Letter.Kind).CompareTo(Rank(b.Letter.Kind));
        if (byRank != 0) return byRank;
        var byTime = a.Letter.At.CompareTo(b.Letter.At);
        return byTime != 0 ? byTime : a.Place.CompareTo(b.Place);
    }

    private static int Rank(FleetLetterKind kind) =>
        kind is FleetLetterKind.ModelRegistered or FleetLetterKind.OrdersKnown ? 0 : 1;
}
