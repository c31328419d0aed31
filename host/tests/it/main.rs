mod slack;
