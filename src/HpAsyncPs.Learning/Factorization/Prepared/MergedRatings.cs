using System;
using System.Collections.Generic;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Data.Prepared;

namespace HpAsyncPs.Learning.Factorization.Prepared;

/// <summary>Users of several blocks as the data of one worker.</summary>
/// <param name="head">Head of the file.</param>
/// <param name="itemCounts">Training ratings of each item, of all workers.</param>
internal sealed class MergedRatings(RatingsHead head, int[] itemCounts)
{
    private readonly IdTable _names = new();
    private readonly List<int> _numbers = [];
    private readonly List<int> _starts = [0];
    private readonly List<int> _items = [];
    private readonly List<float> _values = [];
    private readonly List<int> _testUsers = [];
    private readonly List<int> _testItems = [];
    private readonly List<float> _testValues = [];

    /// <summary>Adds a block.</summary>
    /// <returns>What is wrong with it, or null.</returns>
    public string? Add(RatingsBlock block)
    {
        if (block.Wrong(head.Users, head.Items) is { } wrong)
            return wrong;
        if ((long)_items.Count + block.Items.Length > Array.MaxLength)
            throw new InputException($"more than {_items.Count} ratings for one worker; use more workers");
        int first = _numbers.Count, before = _items.Count, id = 0, test = 0;
        _numbers.AddRange(block.Numbers);
        _items.AddRange(block.Items);
        _values.AddRange(block.Values);
        _testItems.AddRange(block.TestItems);
        _testValues.AddRange(block.TestValues);
        for (int user = 0; user < block.Numbers.Length; user++)
        {
            if (_names.Add(block.Ids[id..block.IdEnds[user]]) != first + user)
                return "it has a user twice";
            id = block.IdEnds[user];
            _starts.Add(before + block.Ends[user]);
            for (; test < block.TestEnds[user]; test++)
                _testUsers.Add(first + user);
        }

        return null;
    }

    /// <summary>All that was added.</summary>
    /// <param name="path">Of the file, for messages.</param>
    /// <param name="part">Which part it is.</param>
    /// <exception cref="InputException">There is nothing to train on, or more than the file says.</exception>
    public FactorData Finish(string path, RowPart part)
    {
        if (_items.Count == 0)
            throw new InputException($"{path}: no rating falls to worker {part.Index} of {part.Count}; use fewer workers");
        int[] counts = new int[itemCounts.Length];
        foreach (int item in _items)
            counts[item]++;
        int[] local = FactorData.Locals(counts.Length, item => counts[item] > 0, out int[] itemIds);
        int[] items = [.. _items];
        for (int r = 0; r < items.Length; r++)
            items[r] = local[items[r]];
        foreach (int item in itemIds)
        {
            if (counts[item] > itemCounts[item])
                throw PreparedHead.Damaged(path, $"is damaged: item {item} has more ratings in its blocks than in its table");
        }

        int[] numbers = [.. _numbers], places = new int[numbers.Length];
        for (int user = 0; user < places.Length; user++)
            places[user] = user;
        return new FactorData
        {
            Mean = head.Mean,
            Scale = head.Scale,
            UserIds = numbers,
            UserNames = _names,
            UserPlaces = places,
            UserStarts = [.. _starts],
            Items = items,
            Values = [.. _values],
            LocalItems = itemIds,
            LocalCounts = Array.ConvertAll(itemIds, item => counts[item]),
            ItemCounts = itemCounts,
            TestUsers = [.. _testUsers],
            TestItems = [.. _testItems],
            TestValues = [.. _testValues],
        };
    }
}
